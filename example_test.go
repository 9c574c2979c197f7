package roomring_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/roomring/roomring"
	"github.com/roomring/roomring/web/client"
)

// A program runs a server of its own, and a player counts in a room that the program has made.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "roomring")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := roomring.New(roomring.Config{DataDir: dir, Listen: "127.0.0.1:0", AdminListen: roomring.None, Log: quiet}, tallyRules)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()

	r, err := s.Create(ctx, roomring.NewRoom{Game: "tally"})
	if err != nil {
		panic(err)
	}
	player, err := client.Dial(ctx, client.Options{URL: fmt.Sprintf("ws://%s/v1/rooms/%s/ws", s.Addr(), r.ID)})
	if err != nil {
		panic(err)
	}
	if _, err := player.Act(ctx, add{3}); err != nil {
		panic(err)
	}
	var view map[string]int
	if err := player.View(&view); err != nil {
		panic(err)
	}
	fmt.Println(view)
	player.Close()
	stop()
	fmt.Println(<-done)
	// Output:
	// map[count:3]
	// <nil>
}

// A program serves pages of its own: nim.js in this folder is the table of the game nim. To carry them in the program, embed the folder and
// take what is in it by [fs.Sub].
func ExamplePages() {
	roomring.Pages(os.DirFS("pages")).Main(tallyRules)
}

// A program mounts a server beside what it serves itself. The server opens no listener.
func ExampleServer_Handler() {
	dir, err := os.MkdirTemp("", "roomring")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := roomring.New(roomring.Config{DataDir: dir, Listen: roomring.None, AdminListen: roomring.None, Log: quiet}, tallyRules)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()

	mux := http.NewServeMux()
	mux.Handle("/games/", http.StripPrefix("/games", s.Handler()))
	site := httptest.NewServer(mux)
	res, err := http.Get(site.URL + "/games/v1/games")
	if err != nil {
		panic(err)
	}
	fmt.Println(res.Status)
	res.Body.Close()
	site.Close()
	stop()
	fmt.Println(<-done)
	// Output:
	// 200 OK
	// <nil>
}

// A program sets what players cannot.
func ExampleServer_Signal() {
	dir, err := os.MkdirTemp("", "roomring")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := roomring.New(roomring.Config{DataDir: dir, Listen: roomring.None, AdminListen: roomring.None, Log: quiet}, tallyRules)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()

	r, err := s.Create(ctx, roomring.NewRoom{Game: "tally"})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Signal(ctx, r.ID, "set", 12))
	fmt.Println(s.Signal(ctx, r.ID, "reset", nil))
	fmt.Println(s.Close(ctx, r.ID, "that was all"))
	stop()
	fmt.Println(<-done)
	// Output:
	// <nil>
	// the signal is set
	// <nil>
	// <nil>
}

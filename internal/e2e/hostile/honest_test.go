package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// honestWords are what a process of honest players prints at its end.
type honestWords struct {
	Acts    []honestAct    `json:"acts"`
	Players []client.Stats `json:"players"`
}

// honestAct is an act that was answered.
type honestAct struct {
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took"`
}

// honestPause is the pause between two acts.
const honestPause = 10 * time.Millisecond

// honestMain is the command `honest URL`. It plays until its standard input ends, and then prints honestWords.
func honestMain() {
	words, err := playHonestly(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(words)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(e2e.ExitFailed)
	}
}

func playHonestly(url string) (words honestWords, err error) {
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	var two [2]*client.Client
	for i := range two {
		if two[i], err = client.Dial(context.Background(), client.Options{URL: url, Name: "honest", Encoding: e2e.EncodingOf(i)}); err != nil {
			return words, err
		}
		defer two[i].Close()
	}
	for i := 0; ; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), e2e.Ceiling)
		begin := time.Now()
		_, err := two[i%2].Act(ctx, e2e.TallyAction{Add: 1})
		took := time.Since(begin)
		cancel()
		if err != nil {
			return words, fmt.Errorf("an honest player's act: %w", err)
		}
		words.Acts = append(words.Acts, honestAct{begin, took})
		select {
		case <-over:
			for _, c := range two {
				words.Players = append(words.Players, c.Stats())
			}
			return words, nil
		case <-time.After(honestPause):
		}
	}
}

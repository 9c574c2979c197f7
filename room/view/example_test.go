package view_test

import (
	"fmt"
	"reflect"

	"github.com/roomring/roomring/room/view"
)

func Example() {
	type seat struct {
		Name  string `json:"name"`
		Cards int    `json:"cards"`
	}
	type table struct {
		Seats map[string]seat `json:"seats"`
		Turn  string          `json:"turn,omitempty"`
	}
	differ, err := view.Compile(reflect.TypeFor[table]())
	if err != nil {
		fmt.Println(err)
		return
	}
	shadow := differ.New()
	now := table{Seats: map[string]seat{"n": {"Ann", 5}, "s": {"Bob", 5}}, Turn: "n"}
	for range 3 {
		patch, _, changed, err := shadow.Update(&now, nil, nil)
		fmt.Println(string(patch), changed, err)
		now.Seats["n"], now.Turn = seat{"Ann", 4}, ""
	}
	fmt.Printf("%s %08x\n", shadow.AppendJSON(nil), shadow.Checksum())
	now.Turn = "\xff"
	fmt.Println(view.Check(now))
	// Output:
	// {"seats":{"n":{"cards":5,"name":"Ann"},"s":{"cards":5,"name":"Bob"}},"turn":"n"} true <nil>
	// {"seats":{"n":{"cards":4}},"turn":null} true <nil>
	//  false <nil>
	// {"seats":{"n":{"cards":4,"name":"Ann"},"s":{"cards":5,"name":"Bob"}}} f98aae39
	// view: turn: is not valid UTF-8
}

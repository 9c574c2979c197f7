package actor

import "testing"

// TestLeavesDoNotPileUp posts many leaves of one client to a room that is busy.
func TestLeavesDoNotPileUp(t *testing.T) {
	r := arenaRoom(t, &handClock{})
	s := newSession(r, Hello{Player: "p", Client: "c"}, NewFeed(NewOutbox(OutboxOptions{})))
	if err := r.attach(s); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := s.PostLeave(); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.mail.waiting(); n != 1 {
		t.Errorf("%d leaves wait for the room", n)
	}
	r.turn()
	if err := s.PostLeave(); err != ErrEnded {
		t.Errorf("after the room has handled it: %v", err)
	}
}

package journal

import (
	"fmt"
	"time"
)

// purgeEvery is how often a long-lived node looks for rooms that were set aside too long ago.
const purgeEvery = time.Hour

// run is the writer's goroutine. Open starts it and Close ends it.
func (j *Journal) run() {
	defer close(j.ended)
	marks := time.NewTicker(j.options.MarkEvery)
	defer marks.Stop()
	purges := time.NewTicker(purgeEvery)
	defer purges.Stop()
	j.measure()
	for {
		select {
		case <-j.queue.wake:
			j.drain()
		case <-marks.C:
			j.markTime()
			j.measure()
		case <-purges.C:
			j.write([]command{{change: j.purge()}})
		case <-j.closing:
			j.drain()
			j.markTime()
			return
		}
	}
}

func (j *Journal) drain() {
	for {
		group := j.queue.take(j.options.MaxGroup, j.options.MaxGroupBytes)
		if len(group) == 0 {
			return
		}
		j.write(group)
	}
}

func (j *Journal) markTime() {
	var marks []command
	if j.queue.rooms() > 0 {
		marks = append(marks, command{change: mark{}})
	}
	if j.writer.endsChanged {
		marks = append(marks, command{change: putEnds{}, done: func(err error) { j.writer.endsChanged = err != nil }})
	}
	if len(marks) > 0 {
		j.write(marks)
	}
}

// write commits a group, however often it takes, and then tells those who wait for it.
func (j *Journal) write(group []command) {
	err := j.persist(plan(group, j.options.MaxRow))
	j.queue.written(group)
	for _, c := range group {
		if c.done != nil {
			c.done(err)
		}
	}
}

// persist tries until the changes are written or Close gives up.
func (j *Journal) persist(changes []change) error {
	if j.lost != nil {
		return j.lost // what comes behind a gap must not be written, though the disk be well again
	}
	for pause := j.options.RetryMin; ; pause = min(2*pause, j.options.RetryMax) {
		err := j.writer.commit(changes)
		if err == nil {
			j.recovered()
			j.commits.Add(1)
			return nil
		}
		j.failed(err)
		select {
		case <-time.After(pause):
		case <-j.giveUp:
			j.lost = fmt.Errorf("%w and this was not written: %w", ErrClosed, err)
			return j.lost
		}
	}
}

func (j *Journal) failed(err error) {
	if old := j.failing.Load(); old != nil {
		j.failing.Store(&FailingError{Path: j.path, Since: old.Since, Err: err})
		return
	}
	e := &FailingError{Path: j.path, Since: time.Now(), Err: err}
	j.failing.Store(e)
	j.options.Log.Error("the journal cannot be written: nothing is acknowledged until it can", "err", e)
	j.options.Health(e)
}

func (j *Journal) recovered() {
	old := j.failing.Swap(nil)
	if old == nil {
		return
	}
	j.options.Log.Info("the journal is written again", "failed_for", time.Since(old.Since).Round(time.Millisecond))
	j.options.Health(nil)
}

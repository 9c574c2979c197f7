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
	for {
		select {
		case <-j.queue.wake:
			j.drain()
		case <-marks.C:
			j.markTime()
			j.watchBudget()
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
	if j.queue.rooms() > 0 || j.writer.marks.dirty {
		marks = append(marks, command{change: mark{}})
	}
	if !j.pruned {
		if used, known := j.queue.lives(); known {
			j.writer.marks.prune(used)
			j.writer.marks.boot, j.writer.marks.sync = j.boot, j.options.Sync
			j.pruned = true
		}
	}
	if len(marks) > 0 {
		j.write(marks)
	}
}

// write commits a group, however often it takes, and then tells those who wait for it.
func (j *Journal) write(group []command) {
	changes, of := plan(group, j.options.MaxRow)
	done, err := j.persist(changes)
	j.queue.written(group)
	for i, c := range group {
		switch {
		case c.done == nil:
		case of[i] < done:
			c.done(nil)
		default:
			c.done(err)
		}
	}
}

// persist tries until the changes are written or Close gives up; then it says how many are.
func (j *Journal) persist(changes []change) (done int, err error) {
	if j.lost != nil {
		return 0, j.lost // what comes behind a gap must not be written, though the disk be well again
	}
	for pause := j.options.RetryMin; ; pause = min(2*pause, j.options.RetryMax) {
		n, err := j.writer.commit(changes[done:])
		done += n
		if err == nil {
			j.recovered()
			j.commits.Add(1)
			return done, nil
		}
		j.failed(err)
		select {
		case <-time.After(pause):
		case <-j.giveUp:
			j.lost = fmt.Errorf("%w and this was not written: %w", ErrClosed, err)
			if j.options.Sync {
				return 0, j.lost // it may be written, and did not reach the disk
			}
			return done, j.lost
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

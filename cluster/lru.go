package cluster

import (
	"container/list"
	"sync"
)

// lru remembers at most max values, those used last. The zero value with a max is empty.
type lru[K comparable, V any] struct {
	max int

	mu    sync.Mutex
	items map[K]*list.Element // of lruItem
	order list.List           // used last first
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.items[k]
	if e == nil {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(lruItem[K, V]).value, true
}

func (l *lru[K, V]) put(k K, v V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.items[k]; e != nil {
		l.remove(e)
	}
	if l.items == nil {
		l.items = map[K]*list.Element{}
	}
	l.items[k] = l.order.PushFront(lruItem[K, V]{k, v})
	if l.order.Len() > l.max {
		l.remove(l.order.Back())
	}
}

// each hands over all, those used last first. It holds the lock meanwhile.
func (l *lru[K, V]) each(f func(K, V)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.order.Front(); e != nil; e = e.Next() {
		item := e.Value.(lruItem[K, V])
		f(item.key, item.value)
	}
}

// change changes a value that is there, which does not count as its use.
func (l *lru[K, V]) change(k K, f func(*V)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.items[k]; e != nil {
		item := e.Value.(lruItem[K, V])
		f(&item.value)
		e.Value = item
	}
}

// drop forgets a value if it is one of those meant.
func (l *lru[K, V]) drop(k K, meant func(V) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.items[k]; e != nil && meant(e.Value.(lruItem[K, V]).value) {
		l.remove(e)
	}
}

func (l *lru[K, V]) remove(e *list.Element) {
	delete(l.items, l.order.Remove(e).(lruItem[K, V]).key)
}

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

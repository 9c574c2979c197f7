//go:build !linux && !darwin

package journal

func systemBootID() string { return "" } // not known: see Journal.PowerLost

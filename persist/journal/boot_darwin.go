package journal

import "golang.org/x/sys/unix"

func systemBootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "" // not known: see Journal.PowerLost
	}
	return id
}

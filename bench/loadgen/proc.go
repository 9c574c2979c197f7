package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tree returns the given pids and all their descendants.
func tree(roots []int) []int {
	kids := map[int][]int{}
	ds, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, d := range ds {
		b, err := os.ReadFile(d)
		if err != nil {
			continue
		}
		i := bytes.LastIndexByte(b, ')')
		f := strings.Fields(string(b[i+1:]))
		pid, _ := strconv.Atoi(strings.Split(d, "/")[2])
		pp, _ := strconv.Atoi(f[1])
		kids[pp] = append(kids[pp], pid)
	}
	var out []int
	var walk func(int)
	walk = func(p int) {
		out = append(out, p)
		for _, k := range kids[p] {
			walk(k)
		}
	}
	for _, r := range roots {
		walk(r)
	}
	return out
}

// srvCPU is utime+stime (plus reaped children's) of the server process tree, in microseconds.
func srvCPU(roots []int) (us, sysus float64) {
	for _, p := range tree(roots) {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(p) + "/stat")
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		for i := 11; i <= 14; i++ {
			v, _ := strconv.ParseFloat(f[i], 64)
			us += v * 1e4
			if i == 12 || i == 14 {
				sysus += v * 1e4
			}
		}
	}
	return
}

// eachCPU is srvCPU of each of the server's processes.
func eachCPU(roots []int) (us []float64) {
	for _, p := range roots {
		one, _ := srvCPU([]int{p})
		us = append(us, one)
	}
	return us
}

// rssKB sums a line of /proc/PID/status over the tree: VmRSS, or RssAnon, which leaves out mapped files.
func rssKB(roots []int, line string) (kb int) {
	for _, p := range tree(roots) {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(p) + "/status")
		for l := range strings.SplitSeq(string(b), "\n") {
			if strings.HasPrefix(l, line+":") {
				v, _ := strconv.Atoi(strings.Fields(l)[1])
				kb += v
			}
		}
	}
	return
}

func ownCPU() float64 {
	var ru syscall.Rusage
	syscall.Getrusage(0, &ru)
	return float64(ru.Utime.Nano()+ru.Stime.Nano()) / 1e3
}

module github.com/roomring/roomring/bench/loadgen

go 1.26

// Package slownet gives connections the lag, the losses and the bandwidth of somebody's network, so that a game can be played on
// one machine as its players will play it.
package slownet

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Network says how slow connections are. The zero value slows nothing.
type Network struct {
	Lag    time.Duration `json:"lag_ns"`    // of a round trip; half of it each way
	Jitter time.Duration `json:"jitter_ns"` // by which Lag varies, up and down
	// Loss is the share of segments that are lost, 0 to 1. TCP loses nothing: it sends a segment again after a timeout, 200 ms and
	// doubling (RFC 6298, with the least timeout of Linux), and all that follows waits.
	Loss float64 `json:"loss"`
	Rate int     `json:"rate"` // bits a second each way; 0: any number
}

// Bounds of a Network.
const (
	MaxLag  = 10 * time.Second
	MinRate = 8_000 // bits a second
)

// timeout is the first after which a lost segment is sent again.
const timeout = 200 * time.Millisecond

// segment is what is lost at once, in bytes: what an Ethernet frame holds of a TCP stream.
const segment = 1460

// Parse reads a network from the texts of flags: "120ms" or "120ms±40ms", "2%", "256kbit". Empty ones say nothing.
func Parse(lag, loss, rate string) (n Network, err error) {
	if n.Lag, n.Jitter, err = parseLag(lag); err != nil {
		return n, fmt.Errorf("lag %q: %w", lag, err)
	}
	if n.Loss, err = parseLoss(loss); err != nil {
		return n, fmt.Errorf("loss %q: %w", loss, err)
	}
	if n.Rate, err = parseRate(rate); err != nil {
		return n, fmt.Errorf("slow %q: %w", rate, err)
	}
	return n, nil
}

func parseLag(text string) (lag, jitter time.Duration, err error) {
	if text == "" {
		return 0, 0, nil
	}
	mean, spread, varies := strings.Cut(strings.ReplaceAll(text, "+-", "±"), "±")
	if varies && strings.Trim(spread, "0123456789") == "" {
		spread += "ms"
	}
	lag, err = time.ParseDuration(mean)
	if err == nil && varies {
		jitter, err = time.ParseDuration(spread)
	}
	if err != nil || lag < 0 || lag > MaxLag || jitter < 0 || jitter > lag {
		return 0, 0, fmt.Errorf("give a time up to %v and how much it varies, such as 120ms or 120ms±40", MaxLag)
	}
	return lag, jitter, nil
}

func parseLoss(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(percent >= 0 && percent <= 50) {
		return 0, fmt.Errorf("give a percentage up to 50, such as 2%%")
	}
	return percent / 100, nil
}

// units are the endings of a rate, longest first.
var units = []struct {
	name string
	bits int
}{{"kbit", 1_000}, {"mbit", 1_000_000}, {"bit", 1}}

func parseRate(text string) (int, error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	for _, u := range units {
		number, ok := strings.CutSuffix(strings.ToLower(text), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if bits := n * float64(u.bits); err == nil && bits >= MinRate && bits <= 1e10 {
			return int(bits), nil
		}
		break
	}
	return 0, fmt.Errorf("give bits a second, 8kbit or more, such as 256kbit or 4mbit")
}

// String is what Parse reads, joined.
func (n Network) String() string {
	var parts []string
	if n.Lag > 0 {
		lag := "lag " + n.Lag.String()
		if n.Jitter > 0 {
			lag += "±" + n.Jitter.String()
		}
		parts = append(parts, lag)
	}
	if n.Loss > 0 {
		parts = append(parts, "loss "+strconv.FormatFloat(n.Loss*100, 'f', -1, 64)+"%")
	}
	if n.Rate > 0 {
		parts = append(parts, strconv.FormatFloat(float64(n.Rate)/1000, 'f', -1, 64)+"kbit")
	}
	if parts == nil {
		return "as it is"
	}
	return strings.Join(parts, ", ")
}

// oneWay is how long bytes are on their way in one direction, without the time that the rate takes.
func (n Network) oneWay(bytes int) time.Duration {
	d := n.Lag / 2
	if n.Jitter > 0 {
		d += time.Duration(rand.Int64N(int64(n.Jitter)+1)) - n.Jitter/2
	}
	for range (bytes + segment - 1) / segment {
		for again := timeout; rand.Float64() < n.Loss && again < 32*timeout; again *= 2 {
			d += again
		}
	}
	return max(d, 0)
}

// sending is how long the rate takes for bytes.
func (n Network) sending(bytes int) time.Duration {
	if n.Rate == 0 {
		return 0
	}
	return time.Duration(bytes) * 8 * time.Second / time.Duration(n.Rate)
}

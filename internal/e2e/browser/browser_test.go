//go:build !race

package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// TestBrowser plays in real browsers, on real pages of a real server. In short mode it plays one game.
func TestBrowser(t *testing.T) {
	tests := []struct {
		name string
		test func(*testing.T, *browser)
	}{
		{"chess", browserChess}, {"tour", browserTour}, {"network", browserNetwork}, {"kill", browserKill},
		{"dice", browserDice}, {"snakes", browserSnakes}, {"seat", browserSeat}, {"private", browserPrivate},
		{"rejected", browserRejected}, {"unrated", browserUnrated}, {"phone", browserPhone}, {"ends", browserEnds}, {"expired", browserExpired},
		{"own", browserOwn}, {"newcomer", browserNewcomer},
		{"haproxy", browserHAProxy}, {"nginx", browserNginx},
		{"path", browserPath}, {"nodes", browserNodes},
		{"admin", browserAdmin}, {"admin-token", browserAdminToken}, {"inspect", browserInspect}, {"cluster", browserCluster}, {"drain", browserDrain},
		{"stall", browserStall},
	}
	if testing.Short() {
		tests = tests[:1]
	}
	shared := newBrowser(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, shared) })
	}
}

// inUse bounds how many tests use a browser at once, because a browser has a process for each tab.
var inUse = make(chan struct{}, 2)

// programs are the names of Chromium. The one without windows comes first, because it needs two thirds of the resources of the others.
var programs = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// unwanted are features of Chromium that cost more than the pages: two web pages draw the address bar of each window.
const unwanted = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,site-per-process,Translate"

// browser is a real Chromium in which each person of a test has a profile.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts a Chromium with a new profile.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	home := t.TempDir()
	t.Cleanup(func() { // some processes may outlive the first for a moment, and still write
		testwait.Until(t, "Chromium leaves its folder alone", func() bool { return os.RemoveAll(home) == nil })
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-features", unwanted),
		chromedp.Flag("renderer-process-limit", "1"),     // a person's pages share a process, because each process costs as much as a page
		chromedp.Flag("ignore-certificate-errors", true), // balancers use certificates that the tests made
		chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.WSURLReadTimeout(e2e.Ceiling),
		chromedp.Env("HOME="+home))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it logs events that it does not know
	t.Cleanup(func() {
		defer stop()
		_ = chromedp.Cancel(ctx) // asks Chromium to end by itself, which stop does not do
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	return &browser{t, ctx}
}

// on returns the browser for a test, once fewer than two other tests use one.
func (b *browser) on(t *testing.T) *browser {
	t.Helper()
	inUse <- struct{}{}
	t.Cleanup(func() { <-inUse })
	return &browser{t, b.ctx}
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("none of %s is installed: run scripts/setup", strings.Join(programs, ", "))
	return ""
}

// newPages starts a server without the games that only tests play.
func newPages(t *testing.T) *e2e.Server {
	t.Helper()
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	s.Env = []string{"ROOMRING_TEST_GAMES="}
	return s.Start()
}

// tab is one page of a person.
type tab struct {
	t       *testing.T
	name    string
	ctx     context.Context
	profile cdp.BrowserContextID // cookies and storage

	mu      sync.Mutex
	trouble []string
	frames  []string    // messages that came over its sockets
	came    []time.Time // when each of them came
	lossy   bool        // requests may fail: the test cuts or stops something, or asks for what does not exist
}

// person opens a tab with its own storage, as in another person's browser.
func (b *browser) person(name string) *tab {
	b.t.Helper()
	profile, err := target.CreateBrowserContext().Do(b.executor())
	if err != nil {
		b.t.Fatalf("a profile for %s: %v", name, err)
	}
	b.t.Cleanup(func() { _ = target.DisposeBrowserContext(profile).Do(b.executor()) }) // its tabs are closed already
	return b.open(profile, name)
}

// second opens another tab of the same person.
func (b *browser) second(of *tab) *tab {
	b.t.Helper()
	return b.open(of.profile, of.name+"'s second tab")
}

// executor sends commands to the browser itself instead of a page.
func (b *browser) executor() context.Context {
	return cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
}

// watcher reports what the page's policy forbids. It makes games draw ten frames a second, because Chromium draws them without a graphics
// card.
const watcher = `addEventListener("securitypolicyviolation", (e) => console.error("policy violation: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 100);
cancelAnimationFrame = clearTimeout`

// open makes a tab in its own window, so that no tab is hidden behind another.
func (b *browser) open(profile cdp.BrowserContextID, name string) *tab {
	b.t.Helper()
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(b.executor())
	if err != nil {
		b.t.Fatalf("a tab for %s: %v", name, err)
	}
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	b.t.Cleanup(stop)
	p := &tab{t: b.t, name: name, ctx: ctx, profile: profile}
	chromedp.ListenTarget(ctx, p.hear)
	p.run(log.Enable(), network.Enable(), emulation.SetFocusEmulationEnabled(true),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(watcher).Do(ctx)
			return err
		}))
	b.t.Cleanup(p.check)
	return p
}

// hear records what the browser reports about the page.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.trouble = append(p.trouble, "uncaught: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeAssert {
			p.trouble = append(p.trouble, "console."+string(e.Type)+": "+args(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && (e.Entry.Source != log.SourceNetwork || !p.lossy) {
			p.trouble = append(p.trouble, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventWebSocketFrameReceived:
		p.frames, p.came = append(p.frames, e.Response.PayloadData), append(p.came, e.Timestamp.Time())
	}
}

func args(list []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s %s ", o.Value, o.Description)
	}
	return b.String()
}

// mayLose says that requests of this tab may fail from now on, because the test causes that.
func (p *tab) mayLose() *tab {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lossy = true
	return p
}

// check runs at the end of a tab and fails the test if anything went wrong on its page.
func (p *tab) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, trouble := range p.trouble {
		p.t.Errorf("%s: %s", p.name, trouble)
	}
}

// heard returns the messages that came over the tab's sockets so far.
func (p *tab) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.frames...)
}

func (p *tab) try(actions ...chromedp.Action) error {
	if chromedp.FromContext(p.ctx).Target == nil {
		return chromedp.Run(p.ctx, actions...) // makes the tab, which lives as long as this context
	}
	ctx, cancel := context.WithTimeout(p.ctx, e2e.Ceiling)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := p.try(actions...); err != nil {
		p.fail("%v", err)
	}
}

// fail ends the test and logs what the page shows.
func (p *tab) fail(format string, args ...any) {
	p.t.Helper()
	var text string
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate(`location.href + "\n" + document.body?.innerText`, &text))
	if shot, bad := p.picture(ctx); bad == nil {
		path := filepath.Join(p.t.ArtifactDir(), "failed-"+strings.ReplaceAll(p.name, " ", "-")+".png")
		_ = os.WriteFile(path, shot, 0o644) // the test fails anyway
	}
	p.t.Fatalf("%s: %s\nthe page shows (%v):\n%s", p.name, fmt.Sprintf(format, args...), err, text)
}

func (p *tab) picture(ctx context.Context) (shot []byte, err error) {
	return shot, chromedp.Run(ctx, chromedp.CaptureScreenshot(&shot))
}

func (p *tab) visit(url string) *tab {
	p.t.Helper()
	p.run(chromedp.Navigate(url))
	return p
}

// click presses and releases the mouse in the middle of an element, once it can be seen.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.sees(selector)
	var at struct{ X, Y float64 }
	p.value(fmt.Sprintf(middle, quote(selector)), &at)
	if err := p.try(chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		p.fail("clicking %s: %v", selector, err)
	}
}

// middle returns the middle of an element, once that is inside the window.
const middle = `((e) => {
	e.scrollIntoView({block: "nearest", inline: "nearest", behavior: "instant"});
	const {x, y, width, height} = e.getBoundingClientRect();
	return {x: x + width / 2, y: y + height / 2};
})(document.querySelector(%s))`

// write replaces the text of a field by typing.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.click(selector)
	if err := p.try(chromedp.Evaluate("document.activeElement.select()", nil), chromedp.KeyEvent(text)); err != nil {
		p.fail("writing into %s: %v", selector, err)
	}
}

// until waits for a JavaScript expression to be true. It is not true while a page loads. The page itself evaluates it repeatedly, because
// each question from here would cost three processes some work.
func (p *tab) until(expression string) {
	p.t.Helper()
	var last error
	for end := time.Now().Add(e2e.Ceiling); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		var yes bool
		if last = p.try(chromedp.Evaluate(fmt.Sprintf(becomes, expression), &yes, settled)); last == nil && yes {
			return
		}
		if errors.Is(last, context.Canceled) {
			break
		}
	}
	p.fail("it is still not so that %s (%v)", expression, last)
}

// becomes checks every 25 ms whether an expression is true, for at most a second.
const becomes = `new Promise((done, failed) => {
	const last = performance.now() + 1000;
	const look = () => {
		try {
			if (%s) return done(true);
		} catch (error) {
			return failed(error);
		}
		if (performance.now() > last) return done(false);
		setTimeout(look, 25);
	};
	look();
})`

// value evaluates an expression.
func (p *tab) value(expression string, into any) {
	p.t.Helper()
	if err := p.try(chromedp.Evaluate(expression, into)); err != nil {
		p.fail("%s: %v", expression, err)
	}
}

func (p *tab) text(selector string) (text string) {
	p.t.Helper()
	p.sees(selector)
	p.value(fmt.Sprintf("document.querySelector(%s).textContent", quote(selector)), &text)
	return text
}

func (p *tab) attribute(selector, name string) (text string) {
	p.t.Helper()
	p.sees(selector)
	p.value(fmt.Sprintf(`document.querySelector(%s).getAttribute(%s) ?? ""`, quote(selector), quote(name)), &text)
	return text
}

func (p *tab) count(selector string) (n int) {
	p.t.Helper()
	p.value(fmt.Sprintf("document.querySelectorAll(%s).length", quote(selector)), &n)
	return n
}

// sees waits until an element is on the page and visible.
func (p *tab) sees(selector string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%s)?.checkVisibility()", quote(selector)))
}

// reads waits until an element's text contains the words.
func (p *tab) reads(selector, words string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector(%s)?.textContent.includes(%s)", quote(selector), quote(words)))
}

// room returns the room's id from the page's address, once the page is at a table.
func (p *tab) room() string {
	p.t.Helper()
	p.until(`/^(\/games\/ring)?\/play\//.test(location.pathname)`)
	var path string
	p.value("location.pathname", &path)
	_, id, _ := strings.Cut(path, "/play/")
	return id
}

// live waits until the page says that it is connected.
func (p *tab) live() *tab {
	p.t.Helper()
	p.sees(testid("connection", `[data-state="open"]`))
	return p
}

// player returns the id of the player in this tab.
func (p *tab) player() (id string) {
	p.t.Helper()
	p.value(`((key) => JSON.parse(sessionStorage.getItem(key) ?? localStorage.getItem(key)).player)("roomring.guest" + (location.pathname.startsWith("/games/ring/") ? "/games/ring" : ""))`, &id)
	return id
}

func testid(id string, more ...string) string {
	return `[data-testid="` + id + `"]` + strings.Join(more, "")
}

func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be marshalled
	}
	return string(raw)
}

// offline tells the browser that it has no network, or has one again.
func (p *tab) offline(cut bool) {
	p.t.Helper()
	p.run(network.OverrideNetworkState(cut, 0, -1, -1))
}

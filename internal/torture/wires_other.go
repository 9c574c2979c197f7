//go:build !linux

package torture

import (
	"context"
	"errors"
	"net"
)

// wires are networks of the nodes' own, which only Linux has.
type wires struct{}

var errNoWires = errors.New("networks of the nodes' own need Linux")

func newWires() (*wires, error)                                        { return nil, errNoWires }
func (*wires) place(*server) error                                     { return errNoWires }
func (*wires) enter(int) error                                         { return errNoWires }
func (*wires) dial(context.Context, string, string) (net.Conn, error)  { return nil, errNoWires }
func (*wires) reach(context.Context, string, string) (net.Conn, error) { return nil, errNoWires }
func (*wires) addr(int) string                                         { return "" }
func (*wires) Add() (int, error)                                       { return 0, errNoWires }
func (*wires) Inside(int, func() error) error                          { return errNoWires }
func (*wires) Cut(from, to int) error                                  { return errNoWires }
func (*wires) Heal(from, to int) error                                 { return errNoWires }
func (*wires) Lose(to, percent int) error                              { return errNoWires }
func (*wires) close()                                                  {}

package wire

// Each function below appends one server message in encoding e. It allocates only to grow dst.

// AppendWelcome appends a welcome.
func AppendWelcome(dst []byte, e Encoding, m Welcome) []byte {
	o := begin(dst, e, "welcome")
	o.text("room", m.Room)
	o.text("game", m.Game)
	o.text("player", m.Player)
	o.int("seat", int64(m.Seat))
	o.uint("epoch", m.Epoch)
	o.uint("seq", m.Seq)
	o.uint("cseq", m.CSeq)
	o.uint("now", m.Now)
	o.uint("heartbeat", m.Heartbeat)
	in := o.object("limits")
	in.int("message", int64(m.Limits.Message))
	in.int("unanswered", int64(m.Limits.Unanswered))
	in.int("rate", int64(m.Limits.Rate))
	in.int("bytes", int64(m.Limits.Bytes))
	o.b = in.end()
	o.bool("recovered", m.Recovered)
	o.textIf("node", m.Node)
	o.textIf("token", m.Token)
	return o.end()
}

// AppendState appends a whole view. View must be in encoding e.
func AppendState(dst []byte, e Encoding, m State) []byte {
	o := begin(dst, e, "state")
	o.uintIf("epoch", m.Epoch)
	o.uint("seq", m.Seq)
	o.encoded("view", m.View)
	o.uintIf("lost", m.Lost)
	o.check(m.Check)
	return o.end()
}

// AppendTurn appends a turn. Patch must be in encoding e, events' data in JSON.
func AppendTurn(dst []byte, e Encoding, m *Turn) []byte {
	o := begin(dst, e, "turn")
	o.uintIf("epoch", m.Epoch)
	o.uint("seq", m.Seq)
	if len(m.Patch) > 0 {
		o.encoded("patch", m.Patch)
	}
	if len(m.Events) > 0 {
		o.events(m.Events)
	}
	o.check(m.Check)
	return o.end()
}

func (o *object) check(sum *uint32) {
	if sum != nil {
		o.uint("check", uint64(*sum))
	}
}

func (o *object) events(events []Event) {
	o.key("events")
	if o.e == CBOR {
		o.b = appendCBORHead(o.b, cborArray, uint64(len(events)))
	} else {
		o.b = append(o.b, '[')
	}
	for i := range events {
		if o.e == JSON && i > 0 {
			o.b = append(o.b, ',')
		}
		in := open(o.b, o.e)
		in.text("name", events[i].Name)
		in.gameJSONIf("data", events[i].Data)
		o.b = in.end()
	}
	if o.e == JSON {
		o.b = append(o.b, ']')
	}
}

// AppendAck appends an ack.
func AppendAck(dst []byte, e Encoding, m Ack) []byte {
	o := begin(dst, e, "ack")
	o.uint("cseq", m.CSeq)
	o.uint("seq", m.Seq)
	return o.end()
}

// AppendReject appends a reject.
func AppendReject(dst []byte, e Encoding, m Reject) []byte {
	o := begin(dst, e, "reject")
	o.uint("cseq", m.CSeq)
	o.uint("seq", m.Seq)
	o.text("code", m.Code)
	o.text("reason", m.Reason)
	return o.end()
}

// AppendPong appends a pong.
func AppendPong(dst []byte, e Encoding, m Pong) []byte {
	o := begin(dst, e, "pong")
	o.jsonIf("echo", m.Echo)
	o.int("time", m.Time)
	return o.end()
}

// AppendMove appends a move.
func AppendMove(dst []byte, e Encoding, m Move) []byte {
	o := begin(dst, e, "move")
	o.textIf("url", m.URL)
	o.uint("within", m.Within)
	return o.end()
}

// AppendOver appends an over.
func AppendOver(dst []byte, e Encoding, m Over) []byte {
	o := begin(dst, e, "over")
	o.uint("seq", m.Seq)
	o.text("end", m.End)
	o.gameJSONIf("result", m.Result)
	o.textIf("reason", m.Reason)
	if m.Alone {
		o.bool("alone", true)
	}
	return o.end()
}

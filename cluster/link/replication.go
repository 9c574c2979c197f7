package link

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link/linkpb"
)

// WithReplication is the first version of linkpb's schema that has Replicate. A node whose latest is an earlier one knows no standbys.
const WithReplication = 2

// LeaderEnd is the end of a stream of replication at the node that dialled it: that of owners.
type LeaderEnd struct{ end[*linkpb.LeaderFrame] }

// FollowerEnd is the end of a stream of replication at the node that copies.
type FollowerEnd struct {
	end[*linkpb.FollowerFrame]
}

func leaderReads(b []byte) (*linkpb.FollowerFrame, bool, error) {
	f := new(linkpb.FollowerFrame)
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, f)
	return f, f.GetWhat() != nil, err
}

func followerReads(b []byte) (*linkpb.LeaderFrame, bool, error) {
	f := new(linkpb.LeaderFrame)
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, f)
	return f, f.GetWhat() != nil, err
}

// reader reads a stream until it ends. It passes what it reads to the stream's handler.
type reader func(recv func(any) error)

// role is what one of the two connections to a peer is for.
type role struct {
	name  string // in the log
	limit int    // bytes queued
	count *traffic
	open  func(context.Context, linkpb.PeerClient) (grpc.ClientStream, error)
	begin func(*stream) reader // calls the option that makes the stream's handler
}

// sessions is the role of the connection that carries sessions and questions.
func (l *Links) sessions(node string) role {
	return role{
		name: "sessions", limit: l.o.Queue, count: &l.traffic(node).sessions,
		open: func(ctx context.Context, c linkpb.PeerClient) (grpc.ClientStream, error) { return c.Link(ctx) },
		begin: func(s *stream) reader {
			h := l.o.Edge(&EdgeEnd{end[*linkpb.EdgeFrame]{s}})
			return func(recv func(any) error) { read(s, recv, edgeReads, h) }
		},
	}
}

// replication is the role of the connection that carries what the peer copies. It is a connection of its own, so that a
// large snapshot, or a peer whose disk is slow, does not hold up sessions in the buffers of TCP.
func (l *Links) replication(node string) role {
	return role{
		name: "replication", limit: l.o.ReplicaQueue, count: &l.traffic(node).replication,
		open: func(ctx context.Context, c linkpb.PeerClient) (grpc.ClientStream, error) { return c.Replicate(ctx) },
		begin: func(s *stream) reader {
			h := l.o.Leader(&LeaderEnd{end[*linkpb.LeaderFrame]{s}})
			return func(recv func(any) error) { read(s, recv, leaderReads, h) }
		},
	}
}

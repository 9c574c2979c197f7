package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/auth"
)

func newToken() *cobra.Command {
	var who struct {
		name, room, game string
		expires          time.Duration
	}
	s := newSettings()
	cmd := &cobra.Command{
		Use:   "token PLAYER",
		Short: "Make a token for a player",
		Long: `Token prints a new JSON Web Token that identifies a player. A server that was started with the same key lets that player
in. Your own backend can make such tokens with any JWT library. The claims are sub (the player, 1 to 64 bytes) and exp;
optional are name, and room and game, which limit the token to that room or game.

The key file holds one of:
  an Ed25519 private key in PEM                     openssl genpkey -algorithm ed25519 -out key.pem
  an HMAC secret, plain or after base64:            openssl rand -hex 32 > key
  a JSON Web Key, or a set of them
A server that only checks tokens needs just the public key:
                                                    openssl pkey -in key.pem -pubout -out key.pub.pem`,
		Example: `  roomring token --auth-key-file key.pem alice
  roomring token --auth-key-file key.pem --name 'Alice L.' --game chess --expires 12h alice`,
		Args: usageArgs(onePlayer),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.loadKeyFile(); err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			if who.expires <= 0 {
				return &usageError{cmd.CommandPath(), fmt.Errorf("--expires %v: give a time above zero", who.expires)}
			}
			now := time.Now()
			id := auth.Identity{
				Player: room.PlayerID(args[0]), Name: who.name,
				Room: room.ID(who.room), Game: who.game, Expires: now.Add(who.expires),
			}
			token, err := s.mint(id, now)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	s.addTo(cmd, "auth-key-file", "token-issuer", "token-audience", "config")
	f := cmd.Flags()
	f.StringVar(&who.name, "name", "", "`name` that other players see (default: the one in the client's hello)")
	f.StringVar(&who.room, "room", "", "limit the token to this `room`")
	f.StringVar(&who.game, "game", "", "limit the token to this `game`")
	f.DurationVar(&who.expires, "expires", 24*time.Hour, "`time` until the token expires")
	return cmd
}

func onePlayer(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one player")
	}
	return nil
}

// loadKeyFile loads the settings and checks that --auth-key-file is set.
func (s *settings) loadKeyFile() error {
	if err := s.load(); err != nil {
		return err
	}
	if s.AuthKeyFile == "" {
		return errors.New("--auth-key-file is missing: name the key that the server was started with")
	}
	return nil
}

func (s *settings) mint(who auth.Identity, now time.Time) (string, error) {
	keys, err := auth.ReadKeyFile(s.AuthKeyFile)
	if err != nil {
		return "", err
	}
	if who.Room != "" {
		if _, err := record.ParseID(string(who.Room)); err != nil {
			return "", fmt.Errorf("--room: %w", err)
		}
	}
	return keys.Mint(who, s.Issuer, s.Audience, now)
}

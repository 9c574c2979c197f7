package api

import (
	"encoding/json"
	"net/http"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/schema"
	"github.com/roomring/roomring/web/internal/assets"
	"github.com/roomring/roomring/web/internal/rest"
)

// schemas are what games' values are as JSON, or why that cannot be told.
type schemas struct {
	files   assets.Files // by game
	missing map[string]error
}

// newSchemas reads the types of the games. One whose types cannot be told is played all the same.
func newSchemas(games *core.Games) schemas {
	made, s := map[string][]byte{}, schemas{missing: map[string]error{}}
	if games != nil {
		for rules := range games.All() {
			name := rules.Spec().Name
			types, err := schema.Of(rules)
			if err == nil {
				made[name+".json"], err = json.Marshal(types)
			}
			if err != nil {
				s.missing[name] = err
			}
		}
	}
	s.files = assets.Of(made)
	return s
}

// getSchema serves the JSON Schemas of a game.
func (s *Server) getSchema(w http.ResponseWriter, r *http.Request) error {
	game := r.PathValue("game")
	if file := s.schemas.files[game+".json"]; file != nil {
		file.Serve(w, r)
		return nil
	}
	if err := s.schemas.missing[game]; err != nil {
		return rest.NewProblem(http.StatusNotFound, "no-schema", "There is no schema, because the types of this game cannot be told in JSON: "+err.Error()+".")
	}
	return rest.NotFound("There is no such game: GET /v1/games lists them.")
}

// A program of somebody's own, as another module. TestAProgramOfSomebodysOwn builds a copy of it against this checkout.
module example.com/countdown

go 1.26

require github.com/roomring/roomring v0.0.0

replace github.com/roomring/roomring => ../..

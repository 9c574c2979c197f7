// Package view turns the views a game returns into the bytes its viewers need:
// the whole view, and the difference from the view before, each in JSON and in CBOR.
//
// # Data model
//
// A view is a JSON document (RFC 8259). What a Go value means is what encoding/json
// says: field names and tags, omitempty, omitzero, "-", ",string", embedded structs,
// [json.Marshaler], [encoding.TextMarshaler], base64 for []byte. The differences are
// all for the sake of merge patches and of clients whose only number is a double:
//
//   - A nil slice is [], a nil map is {}, a nil []byte is "".
//   - Null is an error wherever it would stand: a nil pointer, a nil interface, null
//     from a marshaler. A merge patch says "removed" by null, so a view cannot hold it.
//     A field that may be nil takes omitempty or omitzero.
//   - An integer beyond ±(2⁵³-1) is an error, since a double stands for several of them. The tag
//     ",string" makes it a string. Floats of any finite size are doubles already.
//   - NaN, infinities and text that is not UTF-8 are errors.
//   - Two keys of one map that are written alike are an error.
//   - Nesting deeper than [MaxDepth] is an error, so a cyclic value is found.
//
// # Patches
//
// A patch is a JSON Merge Patch (RFC 7396): objects are compared member by member,
// everything else is replaced whole, arrays too. A game that wants small patches puts
// what changes often into structs and maps, not into arrays. A first update yields the
// whole view as its patch, and so does a view that is no object.
//
// # Encodings
//
// JSON is canonical (RFC 8785): members in order of their names' UTF-16 units, numbers
// as ECMAScript writes them, the least escaping. Patches are written alike. CBOR
// (RFC 8949) carries the same data model: definite lengths, members in the order of the
// JSON, integers and floats in their shortest exact form, an integral number within
// ±(2⁵³-1) always as an integer, []byte as base64 text. The canonical JSON of a decoded
// CBOR view is therefore the canonical JSON of the view.
//
// # Ownership and cost
//
// A [Differ] is compiled once per type, never changes and may be shared. A [Shadow] has
// one user at a time. It keeps a copy of the last view and, once an update has returned,
// no reference to any memory that the game may write; strings, which nobody may write,
// are kept as they are. An update that finds no change allocates nothing, nor does one
// that finds changed numbers, booleans and strings; new map keys, longer arrays and the
// game's own marshalers do. Nothing here blocks, reads a clock or does I/O.
package view

// Package view turns the views a game returns into the bytes its viewers need:
// the whole view, and the difference from the view before, each in JSON and in CBOR.
//
// # Data model
//
// A view is a JSON document (RFC 8259). A Go value means what encoding/json says it means:
// field names and tags, omitempty, omitzero, "-", ",string", embedded structs,
// [json.Marshaler], [encoding.TextMarshaler], base64 for []byte. There are a few
// differences, for merge patches and for clients whose only number type is a double:
//
//   - A nil slice is [], a nil map is {}, a nil []byte is "".
//   - Null is an error everywhere: a nil pointer, a nil interface, null
//     from a marshaler. A merge patch says "removed" by null, so a view cannot hold it.
//     A field that may be nil takes omitempty or omitzero.
//   - An integer beyond ±(2⁵³-1) is an error, because one double stands for several of them.
//     The tag ",string" makes it a string. Finite floats of any size are allowed.
//   - NaN, infinities and text that is not UTF-8 are errors.
//   - Two keys of one map with the same text are an error.
//   - Nesting deeper than [MaxDepth] is an error. A cyclic value therefore gives an error.
//
// # Patches
//
// A patch is a JSON Merge Patch (RFC 7396). Objects are compared member by member. All
// other values, arrays included, are replaced as a whole. A game that wants small patches
// puts what changes often into structs and maps, not into arrays. The patch of the first
// update is the whole view, and so is every patch of a view that is no object.
//
// # Encodings
//
// JSON is canonical (RFC 8785): members in order of their names' UTF-16 units, numbers
// as ECMAScript writes them, the least escaping. Patches follow the same rules. CBOR
// (RFC 8949) carries the same data model: definite lengths, members in the order of the
// JSON, integers and floats in their shortest exact form, whole numbers within ±(2⁵³-1)
// always as integers, []byte as base64 text. The canonical JSON of a decoded CBOR view is
// therefore the canonical JSON of the view.
//
// # Ownership and cost
//
// A [Differ] is compiled once per type, never changes and may be shared. A [Shadow] has
// one user at a time. It keeps a copy of the last view. After an update it refers to no
// memory that the game may write; it shares only strings, which never change. An update
// allocates nothing if it finds no change, or only changed numbers, booleans and strings.
// New map keys, longer arrays and the game's own marshalers allocate. Nothing here blocks,
// reads a clock or does I/O.
package view

package view

// Patch applies a JSON Merge Patch (RFC 7396) and returns the result. Both arguments
// are generic values as encoding/json decodes them into an any. CBOR must be decoded to the
// same types, with objects as map[string]any.
//
// Patch changes the maps of target in place, so only the result may be used afterwards. The
// patch is not changed, but arrays in it may become part of the result.
func Patch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok || object == nil {
		object = make(map[string]any, len(changes))
	}
	for name, change := range changes {
		if change == nil {
			delete(object, name)
		} else {
			object[name] = Patch(object[name], change)
		}
	}
	return object
}

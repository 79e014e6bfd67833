package hunts

import "reflect"

// mergeSpec gives what a hunt says with what its file's defaults say beside it. Sections are merged key by key; a list of
// the hunt replaces the default's, except never, which adds up; a seed of the hunt replaces the default's seed.
func mergeSpec(h, defaults Spec) Spec {
	if h.Seed.Fixed() {
		defaults.Seed = Seed{On: defaults.Seed.On}
	}
	never := append(append([]NeverList{}, h.Never...), defaults.Never...)
	merge(reflect.ValueOf(&h).Elem(), reflect.ValueOf(defaults))
	h.Never = uniqueLists(never)
	return h
}

// merge fills what is not set in v from def: nil pointers and lists, empty texts, and so on in sections and maps. Values
// with a form of their own, such as paths, are taken whole.
func merge(v, def reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && !isScalarType(v.Type()):
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				merge(v.Field(i), def.Field(i))
			}
		}
	case v.Kind() == reflect.Map && !v.IsNil() && !def.IsNil():
		both := reflect.MakeMap(v.Type())
		for _, m := range []reflect.Value{def, v} {
			for it := m.MapRange(); it.Next(); {
				both.SetMapIndex(it.Key(), it.Value())
			}
		}
		v.Set(both)
	case v.IsZero():
		v.Set(def)
	}
}

package results

// ownAlone is false where who may write to a file is not known.
func ownAlone(string) (bool, error) { return false, nil }

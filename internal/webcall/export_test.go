package webcall

// IsPublic says whether a link that others chose may lead to an address.
func IsPublic(address string) bool { return publicOnly(false)("tcp", address, nil) == nil }

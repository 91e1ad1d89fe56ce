package wifidirect

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// NameOf is the name of an enum value as people say it: NameOf(session.GetState()) is "OPEN", not "SESSION_STATE_OPEN".
// It is the number as text where the host is newer, and this version has no name for it.
func NameOf(value protoreflect.Enum) string {
	values := value.Descriptor().Values()
	found := values.ByNumber(value.Number())
	if found == nil {
		return strconv.Itoa(int(value.Number()))
	}
	// The first value of each enum is its prefix and UNSPECIFIED.
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	return strings.TrimPrefix(string(found.Name()), prefix)
}

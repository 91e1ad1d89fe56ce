package wifidirect

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// NameOf returns the name of an enum value without its prefix: NameOf(session.GetState()) is
// "OPEN", not "SESSION_STATE_OPEN". For a value of a newer host that this version does not know, it
// returns the number as text.
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

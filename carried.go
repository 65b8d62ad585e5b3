// Package fastdrain holds the files of the project's root that the command
// carries, so that it works without a clone. They are embedded here, as a package
// embeds what lies below it only.
package fastdrain

import _ "embed"

var (
	// Patches is PATCHES.md.
	//go:embed PATCHES.md
	Patches []byte

	// License is our LICENSE.
	//go:embed LICENSE
	License []byte
)

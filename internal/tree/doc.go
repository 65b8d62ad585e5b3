// Package tree keeps a directory in step with a set of files, beside files of
// somebody else.
//
// It knows its own files by a manifest in the directory. It guarantees:
//
//   - A file that is not in the manifest is never changed or removed, and a file
//     of ours that somebody has edited is neither, unless that is asked for: both
//     are errors that name it, found before anything is written. Line ends that
//     git has made those of another system are no edit.
//   - A file is replaced in one step, by renaming, so a reader never sees half of
//     one.
//   - An update that is interrupted, at whatever point, is completed by the next
//     one, which leaves no trace of it. What will be written is noted down before
//     the first file changes.
//   - When nothing has changed, nothing is written, so file times stay.
package tree

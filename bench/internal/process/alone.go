package process

import "os/exec"

// Alone returns the words to put before the command of a server, so that it sees no
// process but itself, as in a container. A stop looks through the descriptors of the
// processes that it sees, of which bench, with all clients' connections, would be one:
// elsewhere these are on other machines. The words are empty where that cannot be done,
// as it takes Linux, unshare(1) and root.
func Alone() []string {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return nil
	}
	words := []string{unshare, "--pid", "--fork", "--mount-proc", "--kill-child"}
	if exec.Command(unshare, append(words[1:len(words):len(words)], "true")...).Run() != nil {
		return nil
	}
	return words
}

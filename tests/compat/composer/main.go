// Command composer stops a server for each draw that it reads from standard input, a
// JSON object a line, and writes what it came to in the same way. Server and clients
// are in this process; what they say goes over loopback.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/fastdrain/fastdrain/tests/compat/draw"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var d draw.Draw
		if err := json.Unmarshal(line, &d); err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(run(d)); err != nil {
			log.Fatal(err)
		}
	}
}

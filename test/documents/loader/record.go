// Records what Kubernetes' YAML loader makes of a text, for cases.json beside this file.
//
// Reads texts from standard input and writes one answer each, both preceded by their length as a big-endian uint32. An
// answer is the JSON of the only document, or "!" and an error. To build it: go mod init record, go get
// sigs.k8s.io/yaml@v1.6.0 go.yaml.in/yaml/v2@v2.4.2, go build.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"

	yaml2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"
)

func answer(text []byte) []byte {
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		return []byte("!" + err.Error())
	}
	// YAMLToJSON stops after the first document; what follows it must be nothing.
	decoder := yaml2.NewDecoder(bytes.NewReader(text))
	for documents := 0; ; documents++ {
		var value interface{}
		switch err := decoder.Decode(&value); {
		case err == io.EOF:
			return json
		case err != nil:
			return []byte("!" + err.Error())
		case documents > 0:
			return []byte("!more than one document")
		}
	}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var length uint32
		if binary.Read(in, binary.BigEndian, &length) != nil {
			return
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		result := answer(text)
		binary.Write(out, binary.BigEndian, uint32(len(result)))
		out.Write(result)
	}
}

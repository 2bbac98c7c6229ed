// inventory DIRECTORY OUTPUT: writes the files below a directory, their sizes and SHA-256 digests, as
// JSON. Its hashing runs in goroutines, so that it also shows Go's scheduler at work on one thread.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"
)

type entry struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"`
}

func digest(path string) (entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return entry{}, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err != nil {
		return entry{}, err
	}
	return entry{path, size, hex.EncodeToString(hash.Sum(nil))}, nil
}

func list(root string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	return paths, err
}

func digestAll(paths []string) ([]entry, error) {
	entries := make([]entry, len(paths))
	errs := make([]error, len(paths))
	var done sync.WaitGroup
	for i, path := range paths {
		done.Add(1)
		go func(i int, path string) {
			defer done.Done()
			entries[i], errs[i] = digest(path)
		}(i, path)
	}
	done.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Path < entries[j].Path })
	return entries, nil
}

func run(root, output string) error {
	start := time.Now()
	paths, err := list(root)
	if err != nil {
		return err
	}
	entries, err := digestAll(paths)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(output, append(text, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "took %v\n", time.Since(start))
	fmt.Printf("%s: %d files\n", os.Getenv("LABEL"), len(entries))
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintf(os.Stderr, "usage: %s DIRECTORY OUTPUT\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "inventory: %v\n", err)
		os.Exit(1)
	}
}

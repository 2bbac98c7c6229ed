// Httpd serves HTTP on a listening socket that it finds open as descriptor 3, as servers of
// GOOS=wasip1 do: the WASI host, or systemd natively, made it.
//
//	/           "hello"
//	/echo       the request's body
//	/bytes/N    N bytes
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func main() {
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello")
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			log.Print(err)
		}
	})
	http.HandleFunc("/bytes/", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/bytes/"))
		if err != nil || count < 0 || count > 1<<24 {
			http.Error(w, "how many?", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(count))
		for block := []byte(strings.Repeat("wherry! ", 1024)); count > 0; count -= len(block) {
			w.Write(block[:min(count, len(block))])
		}
	})
	fmt.Println("listening")
	log.Fatal(http.Serve(listener, nil))
}

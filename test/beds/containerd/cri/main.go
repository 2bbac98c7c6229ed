// cri speaks the kubelet's side of the container runtime interface, for tests.
//
//	cri serve                        one request a line on stdin, one answer a line on stdout, both JSON:
//	                                 {"service":"RuntimeService","method":"Version","request":{}}
//	                                 {"response":{...}} or {"code":"NotFound","error":"..."}
//	cri call SERVICE METHOD          the same once, the request on stdin
//	cri exec [-i] [-t] ID COMMAND... with the streams of this process; ends with the command's status
//	cri attach [-i] [-t] ID
//	cri port-forward POD LOCAL:REMOTE...
//
// CONTAINER_RUNTIME_ENDPOINT names the daemon's socket.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const limit = 64 << 20 // bytes of one message

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: cri serve | call | exec | attach | port-forward"))
	}
	connection, err := grpc.NewClient(os.Getenv("CONTAINER_RUNTIME_ENDPOINT"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit)))
	if err != nil {
		fail(err)
	}
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "serve":
		serve(connection)
	case "call":
		if len(arguments) != 2 {
			fail(errors.New("usage: cri call SERVICE METHOD"))
		}
		request, err := io.ReadAll(os.Stdin)
		if err != nil {
			fail(err)
		}
		answer, err := call(connection, arguments[0], arguments[1], request)
		if err != nil {
			fail(err)
		}
		fmt.Println(string(answer))
	case "exec", "attach":
		stream(connection, os.Args[1], arguments)
	case "port-forward":
		forward(connection, arguments)
	default:
		fail(fmt.Errorf("no command %q", os.Args[1]))
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cri:", err)
	os.Exit(125)
}

// call invokes any method by its name: the messages' types are found in the service's description.
func call(connection *grpc.ClientConn, service, method string, request []byte) ([]byte, error) {
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(
		protoreflect.FullName("runtime.v1." + service + "." + method))
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", service, method, err)
	}
	types := found.(protoreflect.MethodDescriptor)
	in, err := message(types.Input())
	if err != nil {
		return nil, err
	}
	out, err := message(types.Output())
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(request, in); err != nil {
		return nil, fmt.Errorf("%s.%s: %w", service, method, err)
	}
	path := "/runtime.v1." + service + "/" + method
	if err := connection.Invoke(context.Background(), path, in, out); err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(out)
}

func message(descriptor protoreflect.MessageDescriptor) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}

type question struct {
	Service string          `json:"service"`
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
}

type answer struct {
	Response json.RawMessage `json:"response,omitempty"`
	Code     string          `json:"code,omitempty"`
	Error    string          `json:"error,omitempty"`
}

func serve(connection *grpc.ClientConn) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, limit)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		var said answer
		response, err := call(connection, asked.Service, asked.Method, asked.Request)
		if err != nil {
			said = answer{Code: status.Code(err).String(), Error: err.Error()}
		} else {
			said.Response = response
		}
		if err := out.Encode(said); err != nil {
			fail(err)
		}
	}
}

// stream runs exec or attach over the URL that the daemon's streaming server answers.
func stream(connection *grpc.ClientConn, kind string, arguments []string) {
	interactive, terminal := false, false
	for len(arguments) > 0 && strings.HasPrefix(arguments[0], "-") {
		switch arguments[0] {
		case "-i":
			interactive = true
		case "-t":
			terminal = true
		default:
			fail(fmt.Errorf("%s: no option %q", kind, arguments[0]))
		}
		arguments = arguments[1:]
	}
	if len(arguments) == 0 {
		fail(fmt.Errorf("%s: no container", kind))
	}
	client := cri.NewRuntimeServiceClient(connection)
	var where string
	if kind == "exec" {
		response, err := client.Exec(context.Background(), &cri.ExecRequest{
			ContainerId: arguments[0], Cmd: arguments[1:], Tty: terminal,
			Stdin: interactive, Stdout: true, Stderr: !terminal})
		if err != nil {
			fail(err)
		}
		where = response.GetUrl()
	} else {
		response, err := client.Attach(context.Background(), &cri.AttachRequest{
			ContainerId: arguments[0], Tty: terminal,
			Stdin: interactive, Stdout: true, Stderr: !terminal})
		if err != nil {
			fail(err)
		}
		where = response.GetUrl()
	}
	address, err := url.Parse(where)
	if err != nil {
		fail(err)
	}
	executor, err := remotecommand.NewSPDYExecutor(&rest.Config{}, http.MethodPost, address)
	if err != nil {
		fail(err)
	}
	options := remotecommand.StreamOptions{Stdout: os.Stdout, Tty: terminal}
	if interactive {
		options.Stdin = os.Stdin
	}
	if !terminal {
		options.Stderr = os.Stderr
	}
	err = executor.StreamWithContext(context.Background(), options)
	var ended exec.CodeExitError
	if errors.As(err, &ended) {
		os.Exit(ended.ExitStatus())
	}
	if err != nil {
		fail(err)
	}
}

func forward(connection *grpc.ClientConn, arguments []string) {
	if len(arguments) < 2 {
		fail(errors.New("usage: cri port-forward POD LOCAL:REMOTE..."))
	}
	client := cri.NewRuntimeServiceClient(connection)
	response, err := client.PortForward(context.Background(),
		&cri.PortForwardRequest{PodSandboxId: arguments[0]})
	if err != nil {
		fail(err)
	}
	address, err := url.Parse(response.GetUrl())
	if err != nil {
		fail(err)
	}
	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{})
	if err != nil {
		fail(err)
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	stop, ready := make(chan struct{}), make(chan struct{})
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() {
		<-interrupted
		close(stop)
	}()
	forwarder, err := portforward.New(dialer, arguments[1:], stop, ready, os.Stdout, os.Stderr)
	if err != nil {
		fail(err)
	}
	if err := forwarder.ForwardPorts(); err != nil {
		fail(err)
	}
}

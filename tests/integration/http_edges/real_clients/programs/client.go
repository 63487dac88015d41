// Go: net/http.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
)

var statuses []int

func call(method, url, contentType, body string, authorize func(*http.Request)) (http.Header, map[string]any) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	authorize(request)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	octets, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err)
	}
	statuses = append(statuses, answer.StatusCode)
	value := map[string]any{}
	if len(octets) > 0 {
		if err := json.Unmarshal(octets, &value); err != nil {
			panic(err)
		}
	}
	return answer.Header, value
}

func main() {
	tokenURL, adminURL := os.Getenv("TOKEN_URL"), os.Getenv("ADMIN_URL")
	basic := func(request *http.Request) { request.SetBasicAuth(os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET")) }
	form := "application/x-www-form-urlencoded"
	_, granted := call("POST", tokenURL, form, "grant_type=client_credentials", basic)
	bearer := func(request *http.Request) {
		request.Header.Set("Authorization", fmt.Sprint("Bearer ", granted["access_token"]))
	}
	created, _ := call("POST", adminURL, "application/json", fmt.Sprintf(`{"clientId": %q}`, os.Getenv("NAME")), bearer)
	secretURL := adminURL + "/" + path.Base(created.Get("Location")) + "/client-secret"
	_, made := call("POST", secretURL, "application/json", "{}", bearer)
	_, read := call("GET", secretURL, "", "", bearer)
	call("POST", tokenURL, form, "grant_type=client_credentials", basic)
	kept := made["value"] != nil && made["value"] == read["value"]
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"statuses": statuses, "kept": kept}); err != nil {
		panic(err)
	}
}

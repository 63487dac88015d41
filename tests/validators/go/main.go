// Go-oidc as resource servers use it with Keycloak: the provider from the issuer, its verifier for access tokens.
// Reads cases and prints what the library answers to each token, by library and realm.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"sort"

	"github.com/coreos/go-oidc/v3/oidc"
)

type given struct {
	Realm    string            `json:"realm"`
	Issuer   string            `json:"issuer"`
	Audience string            `json:"audience"`
	JwksURI  string            `json:"jwks_uri"`
	Tokens   map[string]string `json:"tokens"`
}

type roles struct {
	Roles []string `json:"roles"`
}

type claims struct {
	RealmAccess    roles            `json:"realm_access"`
	ResourceAccess map[string]roles `json:"resource_access"`
}

type answer struct {
	Refused     string   `json:"refused,omitempty"`
	Roles       []string `json:"roles,omitempty"`
	ClientRoles []string `json:"client_roles,omitempty"`
}

func byProvider(ctx context.Context, at given) *oidc.IDTokenVerifier {
	provider, err := oidc.NewProvider(ctx, at.Issuer)
	if err != nil {
		log.Fatal(err)
	}
	return provider.Verifier(&oidc.Config{ClientID: at.Audience})
}

func byKeySet(ctx context.Context, at given) *oidc.IDTokenVerifier {
	keys := oidc.NewRemoteKeySet(ctx, at.JwksURI)
	return oidc.NewVerifier(at.Issuer, keys, &oidc.Config{SkipClientIDCheck: true})
}

func ask(ctx context.Context, verifier *oidc.IDTokenVerifier, at given, token string) answer {
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	var read claims
	if err := verified.Claims(&read); err != nil {
		return answer{Refused: err.Error()}
	}
	sort.Strings(read.RealmAccess.Roles)
	return answer{Roles: read.RealmAccess.Roles, ClientRoles: read.ResourceAccess[at.Audience].Roles}
}

func main() {
	var cases []given
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	libraries := map[string]func(context.Context, given) *oidc.IDTokenVerifier{
		"go-oidc, `NewProvider`":     byProvider,
		"go-oidc, `NewRemoteKeySet`": byKeySet,
	}
	answers := map[string]map[string]map[string]answer{}
	for name, library := range libraries {
		answers[name] = map[string]map[string]answer{}
		for _, at := range cases {
			verifier := library(ctx, at)
			byToken := map[string]answer{}
			for kind, token := range at.Tokens {
				byToken[kind] = ask(ctx, verifier, at, token)
			}
			answers[name][at.Realm] = byToken
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

#!/bin/sh
# Recreates the PKCS #12 files in this directory with OpenSSL 3. The tests only read them: OpenSSL's command is not
# on every machine. All have the password "openssl password" and are valid for a hundred years.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

certify() { # name, options for the key
    name=$1
    shift
    openssl req -x509 -newkey "$@" -noenc -days 36500 -subj "/CN=$name" \
        -keyout "$work/$name.key" -out "$work/$name.pem" 2>/dev/null
}
export_p12() { # file, name of the key, options
    file=$1 name=$2
    shift 2
    openssl pkcs12 -export -inkey "$work/$name.key" -in "$work/$name.pem" -out "$file.p12" \
        -passout "pass:openssl password" "$@"
}

certify RSA-2048 rsa:2048
certify RSA-3072 rsa:3072
certify RSA-4096 rsa:4096
certify P-256 ec -pkeyopt ec_paramgen_curve:P-256
certify P-384 ec -pkeyopt ec_paramgen_curve:P-384
certify P-521 ec -pkeyopt ec_paramgen_curve:P-521
certify Ed25519 ed25519
for name in RSA-2048 RSA-3072 RSA-4096 P-256 P-384 P-521 Ed25519; do
    export_p12 "$name" "$name" -name "$name"
done

export_p12 legacy P-256 -name P-256 -legacy
export_p12 rc2-128 P-256 -name P-256 -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-2DES
export_p12 triple-des P-256 -name P-256 -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1
export_p12 aes-128 P-256 -name P-256 -certpbe AES-128-CBC -keypbe AES-192-CBC -macalg sha512 -iter 5000
export_p12 no-encryption P-256 -name P-256 -certpbe NONE -keypbe NONE
export_p12 no-mac P-256 -name P-256 -nomac
export_p12 no-name P-256
openssl pkcs12 -export -nokeys -in "$work/P-256.pem" -caname P-256 -out certificate-only.p12 \
    -passout "pass:openssl password"
openssl pkcs12 -export -inkey "$work/P-256.key" -in "$work/P-256.pem" -name P-256 -keypbe PBE-SHA1-RC4-128 \
    -legacy -out rc4.p12 -passout "pass:openssl password"
for scheme in rc4-40:PBE-SHA1-RC4-40 md5-des:PBE-MD5-DES; do
    export_p12 "${scheme%%:*}" P-256 -name P-256 -legacy -certpbe "${scheme#*:}" -keypbe "${scheme#*:}"
done
openssl pkcs12 -export -inkey "$work/P-256.key" -in "$work/P-256.pem" -name P-256 -out empty-password.p12 \
    -passout pass:

# A chain of three, whose certificates OpenSSL writes in the given order.
openssl req -x509 -newkey rsa:2048 -noenc -days 36500 -subj "/CN=root" \
    -keyout "$work/root.key" -out "$work/root.pem" 2>/dev/null
issue() { # name, issuer, options for the key
    name=$1 issuer=$2
    shift 2
    openssl req -x509 -newkey "$@" -noenc -days 36500 -subj "/CN=$name" -addext basicConstraints=CA:TRUE \
        -CA "$work/$issuer.pem" -CAkey "$work/$issuer.key" -keyout "$work/$name.key" -out "$work/$name.pem" \
        2>/dev/null
}
issue intermediate root ec -pkeyopt ec_paramgen_curve:P-384
issue leaf intermediate ed25519
cat "$work/root.pem" "$work/intermediate.pem" >"$work/others.pem"
export_p12 chain leaf -name leaf -certfile "$work/others.pem"

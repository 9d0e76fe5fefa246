#!/usr/bin/env bash
# Makes a certificate authority for development, and certificates that it vouches for.
set -euo pipefail

usage() {
  cat <<USAGE
Usage: deploy/dev-ca.sh [--days N] [--host NAME-OR-ADDRESS]... DIR [CLIENT]...

Makes in DIR, unless it is there already:

  ca.crt, ca.key        an authority that you alone trust
  hub.crt, hub.key      the hub's certificate, for localhost and every --host
  CLIENT.crt, .key      a certificate for each client that is named

Run it again for more clients; what is there stays. To renew a certificate, delete it first. Not
for production: the authority's key lies beside what it vouches for.
USAGE
}

days=365 names=(DNS:localhost IP:127.0.0.1 IP:::1)
while [[ ${1-} == -* ]]; do
  case "$1" in
    --days) days=${2?} && shift ;;
    --host) names+=("$([[ ${2?} =~ ^[0-9.]+$|: ]] && echo "IP:$2" || echo "DNS:$2")") && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done
(($#)) || { usage >&2 && exit 2; }
directory=$1
shift
mkdir -p "$directory"
cd "$directory"
umask 077

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

if [[ ! -e ca.crt ]]; then
  key ca.key
  openssl req -x509 -new -key ca.key -days "$days" -subj "/CN=Millrace development CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.crt
  chmod a+r ca.crt
fi

# issue NAME USAGE SAN: NAME.crt and NAME.key.
issue() {
  [[ ! -e $1.crt ]] || return 0
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days "$days" -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=%s\nsubjectAltName=%s\n' "$2" "$3") 2>/dev/null
  rm -f "$1.csr" ca.srl
  chmod a+r "$1.crt"
}

issue hub serverAuth "$(IFS=, && echo "${names[*]}")"
for client in "$@"; do issue "$client" clientAuth "DNS:$client"; done

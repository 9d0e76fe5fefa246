#!/usr/bin/env bash
# Makes the image without a daemon: build/image/oci (an OCI layout), build/image/millrace-VERSION.tar, the SBOM.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: deploy/image/build.sh [--programs DIR] [--output DIR]

Puts millrace-server and millrace, as built, and the Debian packages they need into an image. Built from the
same programs and packages at the same SOURCE_DATE_EPOCH (by default the time of the last commit) it is the
same, byte for byte.

  --programs DIR   where the two programs are (default build/bin)
  --output DIR     where the image goes, replacing what was made before (default build/image)

DEBIAN_MIRROR=URL takes the packages from there, such as an archive of a certain day.
USAGE
}

programs=build/bin
output=build/image
while (($#)); do
  case "$1" in
    --programs | --output)
      (($# > 1)) || { echo "build.sh: $1 needs a value" >&2; exit 2; }
      if [[ $1 == --programs ]]; then programs=$(realpath "$2"); else output=$(realpath -m "$2"); fi
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) echo "build.sh: what is \"$1\"?" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

cd "$(dirname "$0")/../.."
source deploy/packages.sh
install_packages "${image_packages[@]}"

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
version=$("$programs/millrace-server" --version | sed 's/.* //')
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
image=$output/oci:$version

rm -rf "$output/oci"
mkdir -p "$output"
deploy/image/rootfs.sh "$programs" "$output/rootfs.tar"

umoci init --layout "$output/oci"
umoci new --image "$image"
umoci raw add-layer --image "$image" --history.created "$created" --history.created_by deploy/image/rootfs.sh \
  "$output/rootfs.tar"
umoci config --image "$image" --no-history --created "$created" --os linux \
  --architecture "$(dpkg --print-architecture)" \
  --config.user 10001:10001 --config.workingdir /var/lib/millrace --config.stopsignal SIGTERM \
  --config.entrypoint /usr/bin/millrace-server \
  --config.env PATH=/usr/bin:/bin \
  --config.env MILLRACE_DATA_DIR=/var/lib/millrace/hub \
  --config.env MILLRACE_LISTEN=0.0.0.0:9640 \
  --config.env MILLRACE_WEB_LISTEN=0.0.0.0:9641 \
  --config.exposedports 9640/tcp --config.exposedports 9641/tcp --config.volume /var/lib/millrace \
  --config.label org.opencontainers.image.title=Millrace \
  --config.label "org.opencontainers.image.version=$version" \
  --config.label org.opencontainers.image.licenses=Apache-2.0
umoci gc --layout "$output/oci"

tar -xf "$output/rootfs.tar" -O ./usr/share/doc/millrace/sbom.spdx.json >"$output/sbom.spdx.json"
rm "$output/rootfs.tar"
tar -C "$output/oci" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
  --mode=a+rX,u+w,go-w -cf "$output/millrace-$version.tar" .
digest=$(sed 's/.*"digest":"\([^"]*\)".*/\1/' "$output/oci/index.json")
echo "made $output/millrace-$version.tar, $(du -h "$output/millrace-$version.tar" | cut -f1), $digest"

#!/bin/sh
# The root of an image for one program: the program, the shared libraries that it loads, the certificates of the CAs, a user. For a step
# of the Dockerfile, on Debian.
set -eu

program=$1 root=$2
libraries=$(ldd "$program" | sed -nE 's/^.*=> (\/[^ ]+) .*$/\1/p; s/^[[:space:]]+(\/[^ ]+) .*$/\1/p')

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/etc/courierflow" "$root/var/lib/dpkg/status.d" "$root/tmp"
chmod 1777 "$root/tmp"
cp "$program" "$root/usr/bin/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

# Scanners of images read from here which version of a library there is.
for file in $libraries /usr/sbin/update-ca-certificates; do
  package=$(dpkg-query -S "$file" "/usr$file" 2>/dev/null | sed -n '1s/:.*//p')
  [ -z "$package" ] || dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
done
cp /etc/debian_version /etc/os-release "$root/etc/"

printf 'root:x:0:0::/:/sbin/nologin\ncourierflow:x:10001:10001::/var/lib/courierflow:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\ncourierflow:x:10001:\n' >"$root/etc/group"

#!/bin/sh
# A real DICOMweb server for the tests: Orthanc and its plugin, from Debian's packages. Needs root.
#   sh tests/orthanc/install.sh
set -eu
if [ -x /usr/sbin/Orthanc ] && [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]; then
    exit 0
fi
apt-get update -qq
# the package starts a server of its own where there is an init system: the tests start theirs, on loopback
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends orthanc orthanc-dicomweb
rm -f /usr/sbin/policy-rc.d

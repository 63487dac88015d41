"""Certificates that ``cryptography`` no longer makes: from OpenSSL, valid for a hundred years.

openssl req -x509 -newkey rsa:1024 -noenc -days 36500 -subj "/CN=weak key" -outform DER
openssl req -x509 -newkey rsa:2048 -sha1 -noenc -days 36500 -subj "/CN=weak signature" -outform DER
"""

import base64
from typing import Final

RSA_1024: Final = base64.b64decode(
    "MIICBDCCAW2gAwIBAgIUPKxtkSVCPIeq6+8e3LDKb+fVePYwDQYJKoZIhvcNAQELBQAwEzERMA8GA1UEAwwId2VhayBrZXkw"
    "IBcNMjYxMTI0MDI1NzI1WhgPMjEyNjEwMzEwMjU3MjVaMBMxETAPBgNVBAMMCHdlYWsga2V5MIGfMA0GCSqGSIb3DQEBAQUA"
    "A4GNADCBiQKBgQC8hsh39+MCSdQHAcXSNkzpacOEgDDe/IX9Yv756tL3DhljePH7r/Q1mY2dKmrcF3KY5GAcwLrOTMs7qx5h"
    "gyk0Uq4La0yaY+fIH2fDd4KGO5G9UIGqzBVEumOb6RwSUoiL62P2rG8Q25Wu/IK0p73wb6JSh0SfIxybTAKidWhrxQIDAQAB"
    "o1MwUTAdBgNVHQ4EFgQU4OI9MZFzuo/ifxc4ExBftJs+kM4wHwYDVR0jBBgwFoAU4OI9MZFzuo/ifxc4ExBftJs+kM4wDwYD"
    "VR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOBgQAZW+9AqRwyAg61xImCjPdzc7tMSWRMI61x3sd7csB5nbLcrvaguNb/"
    "iY0q5LcUvBHX8XqpPUi/XfyyDBbSW1qqpXLFTjJTvy0lGi0a4st48zpwyVBBMTekgRG3B0MhShh502tCJM/uLDxY4uM1OY6P"
    "osGwLT+yCjTv2uHM2Lc6xw=="
)
SIGNED_OVER_SHA1: Final = base64.b64decode(
    "MIIDFTCCAf2gAwIBAgIUJNN09stQ0RRfp4Hp0RgMlTPv0xQwDQYJKoZIhvcNAQEFBQAwGTEXMBUGA1UEAwwOd2VhayBzaWdu"
    "YXR1cmUwIBcNMjYxMTI0MDI1NzI2WhgPMjEyNjEwMzEwMjU3MjZaMBkxFzAVBgNVBAMMDndlYWsgc2lnbmF0dXJlMIIBIjAN"
    "BgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxrNvjAegaAsNQjFZYzsK5KCWbXUEP7j/CBjMkeOYxjpt5/vXiExLqO34bgZO"
    "58B2wm+G4tLPL979u8QSAPn537YlOgbd0lsysE5QB5JtsMoLQmDNhEQNg+xRooBQphC9KlqFDl9LrFFvHSCBYr1GJM83sbE9"
    "4lDppar6gHLkNbQRRnALdk8PNrhXBGucR4jWxJDOHJXC8VY+7AVG634pIx3qJuq74bi9a0yf0W+/r8AZYmsdtaZrjFgHiv3H"
    "V0WRCa90KedxuLQjD6olWtWBCe+fPgqH8PSNUip0ctOmjt9YcQzBpSITOp/xrn25vFPrCli7sQbNWdAccqTvb9LGfwIDAQAB"
    "o1MwUTAdBgNVHQ4EFgQUxxaDk+RuPHOdGeYDNC8gEbihjEEwHwYDVR0jBBgwFoAUxxaDk+RuPHOdGeYDNC8gEbihjEEwDwYD"
    "VR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQUFAAOCAQEAxqhKqt4GDo0fLB2O5cCxVsL9QhU8T6S40P3hb9DmVGBztBZ9Rqmw"
    "LnY84NCWvwK5XVmHR45o8Vqum8U1eYgZZnau+sHjt3yBQoX+VDIPbYmoKzAAqzxzP8TnKVg+5jlzABT1xqdw2VkyNxicd4LF"
    "PVoaNLCCjyWxCIzssfUrU5rAC7kYVoCswrLnPM/aJ+jn1EVGysT01ut5eIBN+BROVK++QYE/NMaLDhcgXmeOLtp2BXsN0NMB"
    "t1iHvLTcjMqUKdrfOZUlCZP3siNqoThGtCwQ+P8nYXN7xRHfwa6wOohzcS7k+oJWgrk9f8q26TJqAeP/+9FmQUu7dhhmR4VR"
    "BQ=="
)

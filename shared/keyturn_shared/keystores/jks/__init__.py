"""JKS: the key store format of Sun's Java, read without Java.

All numbers are big-endian. A file consists of a magic number, a version, the number of entries, the entries,
and a SHA-1 digest over all of it, keyed with the store password. Private keys are encrypted under the key
password by a scheme of its own. Both rely on a single SHA-1 computation per password guess, so only a long
password protects such a file.
"""

from keyturn_shared.keystores.jks.reader import read_jks

__all__ = ["read_jks"]

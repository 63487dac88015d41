"""Archives of keys as Java, OpenSSL and browsers exchange them: JKS and PKCS #12. Every refusal is a
KeyStoreError with a stable ``code``."""

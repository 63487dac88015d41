"""The dashboards as pictures, with what a real Prometheus says of a deployment to which something happens."""

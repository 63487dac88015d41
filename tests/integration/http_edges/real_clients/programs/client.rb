# Ruby: Net::HTTP, one connection to each server.
require "json"
require "net/http"
require "uri"

STATUSES = []
CONNECTIONS = Hash.new do |open, uri|
  open[uri] = Net::HTTP.start(uri.host, uri.port)
end

def call(kind, url, fields, body = nil)
  uri = URI(url)
  request = kind.new(uri, fields)
  request.body = body
  answer = CONNECTIONS[URI("http://#{uri.host}:#{uri.port}")].request(request)
  STATUSES << answer.code.to_i
  [answer, answer.body.to_s.empty? ? nil : JSON.parse(answer.body)]
end

token_url, admin_url = ENV.fetch("TOKEN_URL"), ENV.fetch("ADMIN_URL")
pair = ["#{ENV.fetch("CLIENT_ID")}:#{ENV.fetch("CLIENT_SECRET")}"].pack("m0")
basic = { "Authorization" => "Basic #{pair}", "Content-Type" => "application/x-www-form-urlencoded" }
_, granted = call(Net::HTTP::Post, token_url, basic, "grant_type=client_credentials")
bearer = { "Authorization" => "Bearer #{granted["access_token"]}" }
json = bearer.merge("Content-Type" => "application/json")
created, = call(Net::HTTP::Post, admin_url, json, JSON.generate({ clientId: ENV.fetch("NAME") }))
secret_url = "#{admin_url}/#{created["Location"].split("/").last}/client-secret"
_, made = call(Net::HTTP::Post, secret_url, json, "{}")
_, read = call(Net::HTTP::Get, secret_url, bearer)
call(Net::HTTP::Post, token_url, basic, "grant_type=client_credentials")
CONNECTIONS.each_value(&:finish)
puts JSON.generate({ statuses: STATUSES, kept: !made["value"].to_s.empty? && made["value"] == read["value"] })

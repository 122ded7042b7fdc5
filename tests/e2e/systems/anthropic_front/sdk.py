import anthropic

# Point the client to your proxy
client = anthropic.Anthropic(
    base_url="http://localhost:8081",
    api_key="sk-proxy-your-secret-key"  # Your PROXY_API_KEY
)

# Use exactly as you would with the Anthropic API
message = client.messages.create(
    model="claude-sonnet-4-5-20250929",
    max_tokens=1024,
    messages=[
        {"role": "user", "content": "Hello, how are you?"}
    ]
)

print(message.content[0].text)

curl -s \
  -H "Content-Type: application/json" \
  -H "X-API-Key: $OPENAI_API_KEY" \
  -X POST http://localhost:8000/v1/chat/openai \
  -d '{
    "model":"gpt-4o-mini",
    "messages":[
      {"role":"user","content":[
        {"type":"text","text":"What is in this image?"},
        {"type":"image_url","url":"https://upload.wikimedia.org/wikipedia/commons/3/3c/Shaki_waterfall.jpg"}
      ]}
    ],
    "stream": false
  }' | jq

curl -s \
  -H "Content-Type: application/json" \
  # Omit header if GEMINI_API_KEY is set in the environment
  -H "X-API-Key: $GEMINI_API_KEY" \
  -X POST http://localhost:8000/v1/chat/gemini \
  -d '{
    "model":"gemini-1.5-flash",
    "messages":[
      {"role":"system","content":"You are helpful."},
      {"role":"user","content":[
        {"type":"text","text":"Describe this image succinctly."},
        {"type":"image_url","url":"https://upload.wikimedia.org/wikipedia/commons/3/3c/Shaki_waterfall.jpg"}
      ]}
    ],
    "stream": false
  }' | jq

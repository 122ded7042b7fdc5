curl -X POST "http://localhost:8000/api/v1/chat/completions" \
     -H "Content-Type: application/json" \
     -N \
     -d '{
       "model": "deepseek-chat",
       "messages": [
         {"role": "user", "content": "Hello!"}
       ],
       "stream": true
     }'

using System.Text;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>Writes a rule's answer in the wire form of the chat completions API, whole or streamed, sound or broken as the rule says.</summary>
internal sealed class ScriptedAnswer(ScriptedRule rule, ScriptedRequest request, string id)
{
    private const int PieceChars = 12;

    /// <summary>Writes it.</summary>
    public async Task WriteAsync(HttpContext http)
    {
        switch (rule.Damage)
        {
            case ScriptedDamage.NotJson:
                http.Response.ContentType = "text/html";
                await http.Response.WriteAsync("<html><body>Bad gateway, with status 200</body></html>");
                return;
            case ScriptedDamage.Empty:
                http.Response.ContentType = request.Stream ? "text/event-stream" : "application/json";
                return;
        }

        await (request.Stream ? WriteStreamAsync(http) : WriteWholeAsync(http));
    }

    private string FinishReason => rule.FinishReason ?? (rule.Calls.Count > 0 ? "tool_calls" : "stop");

    private JsonObject Usage()
    {
        var input = rule.InputTokens ?? (request.PromptChars + 3) / 4;
        var output = rule.OutputTokens ?? ((rule.Content?.Length ?? 0) + rule.Calls.Sum(call => call.Arguments.Length) + 3) / 4;
        return new() { ["prompt_tokens"] = input, ["completion_tokens"] = output, ["total_tokens"] = input + output };
    }

    private async Task WriteWholeAsync(HttpContext http)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = rule.Content, ["refusal"] = rule.Refusal };
        if (rule.Calls.Count > 0)
        {
            message["tool_calls"] = new JsonArray([.. rule.Calls.Select((call, index) => Call(call, index))]);
        }

        var body = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["id"] = id,
            ["object"] = "chat.completion",
            ["created"] = 0,
            ["model"] = request.Model,
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["finish_reason"] = FinishReason }),
            ["usage"] = Usage(),
        }.ToJsonString());
        http.Response.ContentType = "application/json";
        var isCut = rule.Damage == ScriptedDamage.CutStream;
        http.Response.ContentLength = rule.Damage == ScriptedDamage.TruncatedJson ? body.Length / 2 : body.Length;
        await http.Response.Body.WriteAsync(rule.Damage == ScriptedDamage.None ? body : body.AsMemory(0, body.Length / 2));
        if (isCut)
        {
            await http.Response.Body.FlushAsync();
            http.Abort();
        }
    }

    private async Task WriteStreamAsync(HttpContext http)
    {
        http.Response.ContentType = "text/event-stream";
        var events = Events().Select(data => data.ToJsonString()).Append("[DONE]").ToList();
        for (var i = 0; i < events.Count; i++)
        {
            if (rule.Damage != ScriptedDamage.None && i >= events.Count / 2)
            {
                await EndBrokenAsync(http, events[i]);
                return;
            }

            await http.Response.WriteAsync($"data: {events[i]}\n\n");
            await http.Response.Body.FlushAsync();
        }
    }

    private async Task EndBrokenAsync(HttpContext http, string data)
    {
        if (rule.Damage == ScriptedDamage.TruncatedJson)
        {
            await http.Response.WriteAsync($"data: {data[..(data.Length / 2)]}\n\n");
            return;
        }

        http.Abort();
    }

    /// <summary>Deltas: the content in pieces, parallel calls with their pieces mixed, the end, and the counts when asked for.</summary>
    private IEnumerable<JsonObject> Events()
    {
        yield return Chunk(new JsonObject { ["role"] = "assistant", ["content"] = "" });
        foreach (var piece in Pieces(rule.Content))
        {
            yield return Chunk(new JsonObject { ["content"] = piece });
        }

        foreach (var piece in Pieces(rule.Refusal))
        {
            yield return Chunk(new JsonObject { ["refusal"] = piece });
        }

        for (var index = 0; index < rule.Calls.Count; index++)
        {
            var opened = Call(rule.Calls[index] with { Arguments = "" }, index);
            opened["index"] = index;
            yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(opened) });
        }

        var pieces = rule.Calls.Select(call => Pieces(call.Arguments).ToList()).ToList();
        for (var round = 0; pieces.Exists(list => list.Count > round); round++)
        {
            for (var index = 0; index < pieces.Count; index++)
            {
                if (round < pieces[index].Count)
                {
                    var part = new JsonObject { ["index"] = index, ["function"] = new JsonObject { ["arguments"] = pieces[index][round] } };
                    yield return Chunk(new JsonObject { ["tool_calls"] = new JsonArray(part) });
                }
            }
        }

        yield return Chunk([], FinishReason);
        if (request.StreamsUsage)
        {
            var counts = Chunk([]);
            counts["choices"] = new JsonArray();
            counts["usage"] = Usage();
            yield return counts;
        }
    }

    private JsonObject Chunk(JsonObject delta, string? finishReason = null) => new()
    {
        ["id"] = id,
        ["object"] = "chat.completion.chunk",
        ["created"] = 0,
        ["model"] = request.Model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finishReason }),
    };

    private JsonObject Call(ScriptedCall call, int index) => new()
    {
        ["id"] = $"call_{id}_{index}",
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
    };

    private static IEnumerable<string> Pieces(string? text)
    {
        for (var at = 0; at < text?.Length;)
        {
            var length = Math.Min(PieceChars, text.Length - at);
            length += at + length < text.Length && char.IsHighSurrogate(text[at + length - 1]) ? 1 : 0;
            yield return text.Substring(at, length);
            at += length;
        }
    }
}

using System.Reflection;
using Omium.Cli.Client;

namespace Omium.Cli.Hosting;

/// <summary>The examples that the program carries with it: workflows, and the scripts that play their agents.</summary>
internal static class DemoExamples
{
    private const string Prefix = "examples/", ScriptSuffix = ".model.yaml";

    /// <summary>What an example writes where its tools reach the receiver.</summary>
    public const string ReceiverPlaceholder = "http://127.0.0.1:7601";

    /// <summary>An input of the first example.</summary>
    public const string Customer = """{"customer_id":"42","name":"Jane Smith","email":"jane@example.org","amount":5000}""";

    /// <summary>The scripts of all examples as one: each rule names its agent, so that they do not meet.</summary>
    public static string ReadScript() =>
        "rules:\n" + string.Concat(Names().Where(IsScript).Select(name => RulesOf(Read(name))));

    /// <summary>The example workflows as YAML, by file name, calling the receiver at its real address.</summary>
    public static IEnumerable<(string Name, string Yaml)> ReadWorkflows(Uri receiver) =>
        Names().Where(name => !IsScript(name)).Select(name => (name[Prefix.Length..], Read(name).Replace(ReceiverPlaceholder, receiver.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)));

    /// <summary>Saves the example workflows over the API, as anybody would. A version that is saved already is not saved again.</summary>
    public static async Task SaveAsync(Uri address, string key, Uri receiver, CancellationToken cancellation)
    {
        using var client = new ApiClient(new ClientSettings(address, key));
        foreach (var (name, yaml) in ReadWorkflows(receiver))
        {
            try
            {
                await client.PostTextAsync("v1/workflows", yaml, "text/yaml", cancellation);
            }
            catch (CommandFailedException refused)
            {
                throw new InvalidDataException($"the example {name} was refused: {refused.Message}", refused);
            }
        }
    }

    private static IEnumerable<string> Names() =>
        Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static bool IsScript(string name) => name.EndsWith(ScriptSuffix, StringComparison.Ordinal);

    private static string RulesOf(string script)
    {
        const string Head = "rules:\n";
        var start = script.IndexOf(Head, StringComparison.Ordinal);
        return start < 0
            ? throw new InvalidDataException("an example's script has no line \"rules:\"")
            : script[(start + Head.Length)..].TrimEnd() + "\n";
    }

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}

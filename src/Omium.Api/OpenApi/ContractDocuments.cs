using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace Omium.Api.OpenApi;

/// <summary>The comments of the wire records, as the compiler wrote them down: what the source says of a member is what the document says.</summary>
internal static class ContractDocuments
{
    private const string Resource = "Omium.Contracts.xml";
    private static readonly Lazy<Dictionary<string, XElement>> Members = new(Load);

    /// <summary>What a type is.</summary>
    public static string Summary(Type type) => TextOf(Find($"T:{NameOf(type)}")?.Element("summary"));

    /// <summary>What a member is: its own comment, or that of the record's parameter.</summary>
    public static string Member(Type type, string name)
    {
        var own = TextOf(Find($"P:{NameOf(type)}.{name}")?.Element("summary"));
        return own.Length > 0 ? own : TextOf(Find($"T:{NameOf(type)}")?.Elements("param").FirstOrDefault(element => element.Attribute("name")?.Value == name));
    }

    private static XElement? Find(string id) => Members.Value.GetValueOrDefault(id);

    private static string NameOf(Type type) => (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');

    private static Dictionary<string, XElement> Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not part of this build");
        return XDocument.Load(stream).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);
    }

    /// <summary>The comment as Markdown: code in backticks, a reference by the name it has on the wire, one space between words.</summary>
    private static string TextOf(XElement? element)
    {
        if (element is null)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "see" or "paramref" } named => $"`{WireName(named)}`",
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement other => other.Value,
                _ => "",
            });
        }

        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private static string WireName(XElement reference)
    {
        var name = reference.Attribute("cref")?.Value ?? reference.Attribute("name")?.Value ?? reference.Value;
        var last = name[(name.LastIndexOf('.') + 1)..];
        return name.StartsWith("T:", StringComparison.Ordinal) ? last : JsonNamingPolicy.SnakeCaseLower.ConvertName(last);
    }
}

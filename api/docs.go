package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The page is one file without scripts, fonts or anything else from elsewhere: it works where
// nothing but this server can be reached.
var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS string
)

var docsTemplate = template.Must(template.New("docs").Parse(docsHTML))

type docsData struct {
	Title, Version string
	About          []string
	CSS            template.CSS
	Tags           []docsTag
	Codes          []meaning
	Schemas        []docsSchema
}

type docsTag struct {
	Name, Description string
	Operations        []docsOperation
}

type docsOperation struct {
	ID, Method, Path     string
	Summary, Description string
	Access               []string
	Parameters           []docsField
	Body                 *docsType
	BodyOptional         bool
	Answers              []docsAnswer
	Problems             []string // statuses of errors: they share one shape
}

// docsAnswer is a status with a body, one for each media type.
type docsAnswer struct {
	Status, Media string
	Type          docsType
}

type docsField struct {
	Name, In string
	Required bool
	Type     docsType
}

// docsType says in words what a schema allows; Ref links to the schema it names.
type docsType struct {
	Words, Ref, Description string
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

// docsPage renders the description for people, and the content policy that the page needs.
func docsPage(spec *huma.OpenAPI, operations []*huma.Operation) (page []byte, policy string) {
	data := docsData{
		Title: spec.Info.Title, Version: spec.Info.Version, About: strings.Split(spec.Info.Description, "\n\n"),
		CSS: template.CSS(docsCSS), Codes: meanings, Schemas: docsSchemas(spec), //nolint:gosec // our own file
	}
	for _, tag := range spec.Tags {
		section := docsTag{Name: tag.Name, Description: tag.Description}
		for _, op := range operations {
			if slices.Contains(op.Tags, tag.Name) {
				section.Operations = append(section.Operations, docsOf(op))
			}
		}
		data.Tags = append(data.Tags, section)
	}
	var buffer bytes.Buffer
	if err := docsTemplate.Execute(&buffer, data); err != nil {
		panic(err) // a mistake in the template, seen at start
	}
	digest := sha256.Sum256([]byte(docsCSS))
	return buffer.Bytes(), fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; frame-ancestors 'none'; base-uri 'none'",
		base64.StdEncoding.EncodeToString(digest[:]))
}

func docsOf(op *huma.Operation) docsOperation {
	out := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description}
	for _, requirement := range op.Security {
		if scopes, ok := requirement[schemeKey]; ok {
			out.Access = append(out.Access, "API key with scope "+strings.Join(scopes, ", "))
		}
		if _, ok := requirement[schemeToken]; ok {
			out.Access = append(out.Access, "player's token")
		}
	}
	for _, p := range op.Parameters {
		field := docsField{Name: p.Name, In: p.In, Required: p.Required, Type: docsTypeOf(p.Schema)}
		field.Type.Description = cmp.Or(p.Description, field.Type.Description)
		out.Parameters = append(out.Parameters, field)
	}
	if op.RequestBody != nil {
		if content := op.RequestBody.Content[mediaJSON]; content != nil {
			out.Body, out.BodyOptional = new(docsTypeOf(content.Schema)), !op.RequestBody.Required
		}
	}
	out.Answers, out.Problems = docsAnswers(op)
	return out
}

func docsAnswers(op *huma.Operation) (answers []docsAnswer, problems []string) {
	for status, response := range op.Responses {
		if response.Content[mediaProblem] != nil {
			problems = append(problems, status)
			continue
		}
		if len(response.Content) == 0 {
			answers = append(answers, docsAnswer{Status: status})
		}
		for media, content := range response.Content {
			answers = append(answers, docsAnswer{Status: status, Media: media, Type: docsTypeOf(content.Schema)})
		}
	}
	slices.SortFunc(answers, func(a, b docsAnswer) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Media, b.Media))
	})
	slices.Sort(problems)
	return answers, problems
}

func docsSchemas(spec *huma.OpenAPI) []docsSchema {
	var schemas []docsSchema
	for name, schema := range spec.Components.Schemas.Map() {
		fields := make([]docsField, 0, len(schema.Properties))
		for property, of := range schema.Properties {
			fields = append(fields, docsField{
				Name: property, Required: slices.Contains(schema.Required, property), Type: docsTypeOf(of),
			})
		}
		slices.SortFunc(fields, func(a, b docsField) int { return cmp.Compare(a.Name, b.Name) })
		schemas = append(schemas, docsSchema{Name: name, Fields: fields})
	}
	slices.SortFunc(schemas, func(a, b docsSchema) int { return cmp.Compare(a.Name, b.Name) })
	return schemas
}

const schemaPrefix = "#/components/schemas/"

func docsTypeOf(schema *huma.Schema) docsType {
	if schema == nil {
		return docsType{}
	}
	out := docsType{Description: schema.Description}
	switch {
	case schema.Ref != "":
		out.Ref = strings.TrimPrefix(schema.Ref, schemaPrefix)
		out.Words = out.Ref
	case schema.Type == huma.TypeArray && schema.Items != nil:
		items := docsTypeOf(schema.Items)
		out.Ref, out.Words = items.Ref, "list of "+items.Words
	case len(schema.OneOf) > 0:
		var choices []string
		for _, choice := range schema.OneOf {
			choices = append(choices, docsTypeOf(choice).Words)
		}
		out.Words = strings.Join(choices, " or ")
	default:
		out.Words = strings.TrimSpace(schema.Type + " " + schema.Format)
	}
	if len(schema.Enum) > 0 {
		var values []string
		for _, value := range schema.Enum {
			values = append(values, fmt.Sprint(value))
		}
		out.Words = strings.Join(values, " | ")
	}
	if schema.Nullable {
		out.Words += " or null"
	}
	if schema.Default != nil {
		out.Description = strings.TrimSpace(fmt.Sprintf("%s (default %v)", out.Description, schema.Default))
	}
	if len(schema.Examples) > 0 {
		out.Description = strings.TrimSpace(fmt.Sprintf("%s e.g. %v", out.Description, schema.Examples[0]))
	}
	return out
}
